import { setFlagsFromString } from "node:v8";

/**
 * Imported first by programs that run for long. V8 watches where the objects come from that live through a burst, and from then on
 * puts all objects from there among the old ones, for ever: each keeps the young ones it refers to alive, and collecting them takes
 * pauses of 10 to 20 ms where one is enough. A queue that was long once would have made every later request slower.
 * (Decision 26.)
 */
setFlagsFromString("--no-allocation-site-pretenuring");
