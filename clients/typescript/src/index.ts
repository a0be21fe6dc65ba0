export * from "./generated/Asc.client";
export * from "./generated/Asc.types";
export { connect, type Network } from "./connect";
export { plaintexts } from "./plaintexts";
export { readReference, type Reference } from "./reference";
export { quote, submit, type Submitted, type SubmitOptions } from "./submit";
export { values } from "./values";
export { watch, type WatchOptions } from "./watch";
