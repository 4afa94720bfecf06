import { Worker } from "@temporalio/worker";
import { DeterminismViolationError } from "@temporalio/workflow";
import { beforeAll, describe, expect, test } from "vitest";
import packageJson from "../../package.json" with { type: "json" };
import * as workflows from "../../src/workflows/index.ts";
import * as messages from "../../src/workflows/messages.ts";
import { sharedServer } from "../support/shared-servers.ts";
import { installQuietRuntime } from "../support/temporal.ts";
import { StandIns } from "../workflows/support/stand-ins.ts";
import { type RecordedHistory, recordedHistories } from "./history-file.ts";

/** Runs that began under an earlier version go on under this one: what they did then is what this code would do. */

const histories = recordedHistories();

let codePath: string;
beforeAll(async () => {
  installQuietRuntime();
  ({ codePath } = await sharedServer("workflowBundle"));
});

/** What keeps each history from being continued, by `version/name`; undefined when nothing does. */
async function replay(recorded: readonly RecordedHistory[]): Promise<Map<string, Error | undefined>> {
  const replays = recorded.map(({ version, name, history }) => ({
    workflowId: `${version}/${name}`,
    history,
  }));
  const errors = new Map<string, Error | undefined>();
  const options = { workflowBundle: { codePath } };
  for await (const { workflowId, error } of Worker.runReplayHistories(options, replays)) {
    errors.set(workflowId, error);
  }
  return errors;
}

describe("every recorded history replays", () => {
  let errors: Map<string, Error | undefined>;
  beforeAll(async () => {
    errors = await replay(histories);
  });

  test.each(histories)("$version/$name", ({ version, name }) => {
    expect(errors.has(`${version}/${name}`)).toBe(true);
    expect(errors.get(`${version}/${name}`)).toBeUndefined();
  });
});

describe("this version has histories of every", () => {
  const events = histories
    .filter(({ version }) => version === packageJson.version)
    .flatMap(({ history }) => history.events ?? []);

  /** The names that were found in the histories, each once, in order. */
  const named = (nameOf: (event: (typeof events)[number]) => string | null | undefined) =>
    [...new Set(events.flatMap((event) => nameOf(event) ?? []))].sort();
  const said = (type: "update" | "signal") =>
    Object.values(messages)
      .flatMap((message) => (typeof message === "object" && "type" in message ? [message] : []))
      .flatMap((message) => (message.type === type ? [message.name] : []))
      .sort();

  /** What was done within a task is a marker. */
  function localActivityIn({ markerRecordedEventAttributes: marker }: (typeof events)[number]) {
    const [payload] = marker?.details?.data?.payloads ?? [];
    if (marker?.markerName !== "core_local_activity" || payload == null) return undefined;
    const done = JSON.parse(Buffer.from(payload.data ?? []).toString()) as { readonly activity_type: string };
    return done.activity_type;
  }

  test("workflow", () => {
    const types = named((event) => event.workflowExecutionStartedEventAttributes?.workflowType?.name);
    expect(types).toEqual(Object.keys(workflows).sort());
  });

  test("activity", () => {
    const types = named(
      (event) => event.activityTaskScheduledEventAttributes?.activityType?.name ?? localActivityIn(event),
    );
    expect(types).toEqual(Object.keys(new StandIns().activities).sort());
  });

  test("update", () => {
    const names = named(
      ({ workflowExecutionUpdateAcceptedEventAttributes: accepted }) =>
        accepted?.acceptedRequest?.input?.name,
    );
    expect(names).toEqual(said("update"));
  });

  test("signal", () => {
    const names = named((event) => event.workflowExecutionSignaledEventAttributes?.signalName);
    expect(names).toEqual(said("signal"));
  });

  test("decision about a parked step", () => {
    const decided = events.flatMap(({ workflowExecutionUpdateAcceptedEventAttributes: accepted }) => {
      const input = accepted?.acceptedRequest?.input;
      if (input?.name !== messages.resolveStep.name) return [];
      return input.args?.payloads?.map(({ data }) => Buffer.from(data ?? []).toString()) ?? [];
    });
    expect([...new Set(decided)].sort()).toEqual(['{"how":"retry"}', '{"how":"skip"}']);
  });
});

describe("a history that this code would not have made is noticed", () => {
  test.each([
    { why: "another activity was scheduled", of: "billing-cycle-paid", change: anotherActivity },
    { why: "another local activity was done", of: "subscription-waiting", change: anotherMarker },
    { why: "another workflow was started", of: "top-up", change: anotherChild },
  ])("$why", async ({ of, change }) => {
    const [recorded] = histories.filter(({ name }) => name === of);
    if (recorded === undefined) throw new Error("there is a history to be changed");
    const { version, name } = recorded;
    const errors = await replay([{ ...recorded, history: change(structuredClone(recorded.history)) }]);
    expect(errors.get(`${version}/${name}`)).toBeInstanceOf(DeterminismViolationError);
  });

  function anotherActivity(history: RecordedHistory["history"]) {
    for (const { activityTaskScheduledEventAttributes: scheduled } of history.events ?? []) {
      if (scheduled) scheduled.activityType = { name: "sendPostcard" };
    }
    return history;
  }

  /** As if nothing had been done within the task. */
  function anotherMarker(history: RecordedHistory["history"]) {
    for (const { markerRecordedEventAttributes: done } of history.events ?? []) {
      if (done) done.markerName = "core_patch";
    }
    return history;
  }

  function anotherChild(history: RecordedHistory["history"]) {
    for (const { startChildWorkflowExecutionInitiatedEventAttributes: started } of history.events ?? []) {
      if (started) started.workflowType = { name: "dunning" };
    }
    return history;
  }
});
