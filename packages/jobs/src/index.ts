export { capturedTables, watchedTables } from "./source/captured-tables.js";
export { type ChosenSource, chooseSources } from "./source/choose-sources.js";
export { type OpenSync, withSync } from "./open-sync.js";
export { driveFullSync, type OnProgress } from "./full/drive-full-sync.js";
export { type FullSyncWish, startFullSync } from "./full/start-full-sync.js";
export { atPairs, type Pair, type PairOptions } from "./verify/open-pairs.js";
export { driveIncremental, type IncrementalDrive } from "./incremental/drive-incremental.js";
export { type IncrementalWish, startIncremental } from "./incremental/start-incremental.js";
