import { readEnvironment } from "../config.ts";
import { parts } from "./parts.ts";
import { readPart } from "./read-part.ts";
import { databaseSection, logSection } from "./sections.ts";

/** What the codec server needs, which shows encrypted payloads to operators of the Temporal UI. */
export function loadCodecServerConfig(environment = readEnvironment()) {
  const values = readPart(parts.codecServer, environment);
  const { TEMPORAL_UI_URL: uiUrl, CODEC_SERVER_ORIGINS: origins } = values;
  return {
    database: databaseSection(values),
    host: values.CODEC_SERVER_HOST,
    port: values.CODEC_SERVER_PORT,
    payloadKeys: values.TEMPORAL_PAYLOAD_KEYS,
    /** Whose pages may ask: the Temporal UI's where no others are named. */
    origins: origins ?? (uiUrl === undefined ? [] : [new URL(uiUrl).origin]),
    log: logSection(values),
  };
}
