/** Version of tables and functions; `ensure` replaces what is older. */
export const formatVersion = 21;
