/**
 * Ends this process when the npm that runs it is gone: npm can't pass a SIGKILL on, and tests or a demo that nobody waits
 * for would run on with their servers. Started by hand (nohup, a shell's background job), it may outlive its parent.
 */
export function endWithNpm() {
  if (process.env["npm_lifecycle_event"] === undefined) return;
  const parent = process.ppid;
  const watch = () => {
    if (process.ppid !== parent) process.kill(process.pid, "SIGKILL");
  };
  setInterval(watch, 500).unref();
}
