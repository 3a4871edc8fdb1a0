import { type CascadeSettings, isChanged, noteAlong, writeAlong } from "./cascade-body.js";
import { hashOf } from "./hash.js";

/** Bodies of the two triggers that an event needs where foreign keys act. */
export interface CascadeBodies {
  readonly before: string;
  readonly after: string;
}

const declareToken = "DECLARE lockstep_token CHAR(36) CHARACTER SET ascii COLLATE ascii_bin";

/**
 * Foreign keys act between a row's BEFORE and its AFTER trigger, and fire none of the children's (PROTOCOL.md 25). So the first notes which rows they will
 * change, and the second writes what became of them: a delete that IGNORE lets fail on another key has changed nothing, and writes nothing. Deleting the children
 * here instead would fire the application's own triggers on them, and delete them for good where the row then stays. `own`: what the row's own trigger does. Pure.
 */
export function cascadeBodies(
  settings: CascadeSettings,
  { table, referenced, own = "" }: { table: string; referenced: readonly string[]; own?: string },
): CascadeBodies {
  // Of this version of the two: while they are made anew, the old ones work on beside them.
  const version = `${settings.event} ${table} ${noteAlong(settings, "OLD")} ${writeAlong(settings)} ${own}`;
  const token = `@lockstep_${hashOf(version)}`;
  return settings.event === "delete"
    ? deleteBodies(settings, token, own)
    : updateBodies(settings, token, referenced, own);
}

function deleteBodies(settings: CascadeSettings, token: string, own: string): CascadeBodies {
  return {
    before: `BEGIN
${declareToken} DEFAULT UUID();
SET ${token} = lockstep_token;
${noteAlong(settings, "OLD")}
END`,
    after: `BEGIN
${declareToken} DEFAULT ${token};
SET ${token} = NULL;
IF lockstep_token IS NULL THEN
${refuse}
END IF;
${writeAlong(settings)}
${own === "" ? "" : `${own};`}
END`,
  };
}

function updateBodies(
  settings: CascadeSettings,
  token: string,
  referenced: readonly string[],
  own: string,
): CascadeBodies {
  return {
    before: `BEGIN
${declareToken};
SET ${token} = NULL;
IF ${isChanged(referenced)} THEN
SET lockstep_token = UUID(), ${token} = lockstep_token;
${noteAlong(settings, "OLD")}
END IF;
END`,
    after: `BEGIN
${declareToken} DEFAULT ${token};
SET ${token} = NULL;
IF lockstep_token IS NOT NULL THEN
${movesKeys(settings) ? noteAlong(settings, "NEW") : ""}
${writeAlong(settings)}
ELSEIF ${isChanged(referenced)} THEN
${refuse}
END IF;
${own === "" ? "" : `${own};`}
END`,
  };
}

/** Children whose own keys hold what changes are found by the new values too. */
function movesKeys({ walk, tableOf }: CascadeSettings): boolean {
  return walk.states.some(({ table, change }) => {
    const key = tableOf(table).shape.schema.key;
    return change.kind === "update" && change.columns.some((column) => key.includes(column));
  });
}

// The BEFORE trigger is gone, or a trigger behind it changed the key: what the foreign keys changed is not known.
const refuse =
  "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'lockstep: rows that foreign keys change were not noted: run lockstep capture install';";
