export { startConsumer } from "./start-consumer.js";
