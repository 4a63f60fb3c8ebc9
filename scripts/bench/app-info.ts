import type { AppProcess } from "../e2e/app-process.ts";

/** The process id of an app that has just begun to listen. */
export async function pidOf(app: AppProcess): Promise<number> {
  await app.listening();
  const pid = /"app:listening".*"pid":(\d+)/.exec(app.log())?.[1];
  if (pid === undefined) throw new Error(`The app did not say its process id:\n${app.log()}`);
  return Number(pid);
}
