import { Group, PasswordInput, Text, Textarea } from "@mantine/core";
import { useState } from "react";
import { ReckonerApiError } from "../../sdk/index.ts";
import { type Decision, deciders, type WaitingKind } from "../commands/decide.ts";
import { FieldFault, faultAt } from "../commands/field-fault.ts";
import { useCommand } from "../commands/use-command.ts";
import { CommandForm, Done } from "../parts/command-form.tsx";
import { DialogButton } from "../parts/dialog.tsx";
import { useRights } from "../session/rights.ts";

/** What waits, as far as deciding about it goes. */
export interface Decidable {
  readonly kind: WaitingKind;
  readonly id: string;
  /** What one decides about, in words: "Credit the balance with $700.00". */
  readonly what: string;
  /** Null where it may be about several. */
  readonly customer: string | null;
  readonly requestedBy: string;
}

/** The ways to decide: nobody agrees to their own request, so whoever asked may withdraw it or hand the screen to somebody else. */
export function DecisionButtons({ decidable }: { decidable: Decidable }) {
  const { actor, mayApprove, mayWrite } = useRights();
  if (actor === null) return null;
  const isOwn = decidable.requestedBy === actor;
  const needsOtherKey = isOwn || !mayApprove;
  return (
    <Group gap="xs" wrap="nowrap" display="inline-flex">
      <DecisionDialog decision="approve" decidable={decidable} needsOtherKey={needsOtherKey} />
      <DecisionDialog decision="reject" decidable={decidable} needsOtherKey={needsOtherKey} />
      {isOwn && mayWrite ? (
        <DecisionDialog decision="withdraw" decidable={decidable} needsOtherKey={false} />
      ) : null}
    </Group>
  );
}

interface DecisionProps {
  readonly decision: Decision;
  readonly decidable: Decidable;
  readonly needsOtherKey: boolean;
}

const texts: Readonly<Record<Decision, { label: string; done: string; explanation: string }>> = {
  approve: {
    label: "Approve",
    done: "Approved",
    explanation: "It is done at once, and cannot be taken back by refusing it later.",
  },
  reject: { label: "Refuse", done: "Refused", explanation: "Nothing is done. It can be asked for again." },
  withdraw: { label: "Withdraw", done: "Withdrawn", explanation: "You take your request back." },
};

function DecisionDialog({ decision, ...rest }: DecisionProps) {
  const { label } = texts[decision];
  return (
    <DialogButton
      label={label}
      description={`${label}: ${rest.decidable.what}`}
      title={`${label} this request?`}
      variant={decision === "approve" ? "filled" : "default"}
    >
      <DecisionForm decision={decision} {...rest} />
    </DialogButton>
  );
}

const keyField = "key";
const keyCodes = ["approver_is_requester", "scope_missing"];

function DecisionForm({ decision, decidable: { kind, id, what, customer }, needsOtherKey }: DecisionProps) {
  const [note, setNote] = useState("");
  const [otherKey, setOtherKey] = useState("");
  const command = useCommand({
    apiKey: needsOtherKey ? otherKey.trim() : undefined,
    explain: (refusal) =>
      needsOtherKey && isAboutKey(refusal) ? new FieldFault(keyField, refusal.message) : refusal,
    prepare: () => {
      if (needsOtherKey && otherKey.trim() === "")
        throw new FieldFault(keyField, "enter the key that decides");
      const said = note.trim();
      if (decision === "reject" && said === "") throw new FieldFault("note", "say why it is refused");
      const body = said === "" ? {} : { note: said };
      return (reckoner, header) =>
        deciders[kind][decision](reckoner, { params: { path: { id }, header }, body });
    },
  });
  const { label, done, explanation } = texts[decision];
  return (
    <CommandForm
      command={command}
      submit={label}
      isGrave={decision === "reject"}
      fields={["note", keyField]}
      done={() => <Done title={done}>{what}.</Done>}
    >
      <Text size="sm">
        {what}
        {customer === null ? "" : `, for ${customer}`}. {explanation}
      </Text>
      <Textarea
        label="Note"
        description="For the record."
        withAsterisk={decision === "reject"}
        autosize
        minRows={2}
        maxLength={500}
        value={note}
        onChange={(event) => setNote(event.currentTarget.value)}
        error={faultAt(command.error, "note")}
      />
      {needsOtherKey ? <OtherKey typed={otherKey} onTyped={setOtherKey} error={command.error} /> : null}
    </CommandForm>
  );
}

interface OtherKeyProps {
  readonly typed: string;
  readonly onTyped: (typed: string) => void;
  readonly error: Error | null;
}

/** The key of another person, who decides at this screen. */
function OtherKey({ typed, onTyped, error }: OtherKeyProps) {
  return (
    <PasswordInput
      label="Key of who decides"
      description="Nobody decides about their own request. Another person enters a key with the scope “approve” here; it is used once and not kept."
      placeholder="rk_…"
      autoComplete="off"
      withAsterisk
      value={typed}
      onChange={(event) => onTyped(event.currentTarget.value)}
      error={faultAt(error, keyField)}
    />
  );
}

const isAboutKey = (refusal: Error): boolean =>
  refusal instanceof ReckonerApiError && (refusal.status === 401 || keyCodes.includes(refusal.code));
