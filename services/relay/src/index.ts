export { startRelays } from "./start-relays.js";
