import { Select, Textarea, TextInput } from "@mantine/core";
import { useState } from "react";
import type { Schemas } from "../../sdk/index.ts";
import { faultAt } from "../commands/field-fault.ts";
import { useCommand } from "../commands/use-command.ts";
import { wordsFor } from "../format/words.ts";
import { CommandForm, Done } from "../parts/command-form.tsx";
import { anomalyStates } from "./describe-anomaly.ts";

/** Says what was done about a case; what is left as it is is not said. */
export function NoteForm({ anomaly }: { anomaly: Schemas["AnomalyDetail"] }) {
  const [note, setNote] = useState("");
  const [state, setState] = useState(anomaly.state);
  const [owner, setOwner] = useState(anomaly.owner ?? "");
  const command = useCommand({
    prepare: () => (reckoner, header) =>
      reckoner.post("/v1/anomalies/{id}/notes", {
        params: { path: { id: anomaly.id }, header },
        body: {
          ...(note.trim() === "" ? {} : { note: note.trim() }),
          ...(state === anomaly.state ? {} : { state }),
          ...(owner.trim() === (anomaly.owner ?? "") || owner.trim() === "" ? {} : { owner: owner.trim() }),
        },
      }),
  });
  return (
    <CommandForm
      command={command}
      submit="Write it down"
      fields={["note", "state", "owner"]}
      done={() => <Done title="Written down" />}
    >
      <Select
        label="State"
        data={anomalyStates.map((value) => ({ value, label: wordsFor(value) }))}
        value={state}
        onChange={(value) => setState(anomalyStates.find((each) => each === value) ?? anomaly.state)}
        allowDeselect={false}
      />
      <TextInput
        label="Owner"
        value={owner}
        onChange={(event) => setOwner(event.currentTarget.value)}
        error={faultAt(command.error, "owner")}
      />
      <Textarea
        label="Note"
        autosize
        minRows={3}
        value={note}
        onChange={(event) => setNote(event.currentTarget.value)}
        error={faultAt(command.error, "note")}
      />
    </CommandForm>
  );
}
