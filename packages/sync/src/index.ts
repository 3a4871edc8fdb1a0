export { compareTable, type ComparedTable, type LeftOut, type Sides } from "./digest/compared-table.js";
