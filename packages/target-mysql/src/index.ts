export { mysqlTarget } from "./mysql-target.js";
export type { MysqlTargetOptions } from "./options.js";
