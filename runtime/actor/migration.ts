/** One step of `migrate`: from a state of one schema version to one of the next. Pure, and not async. */
// A method, not a property: method parameters are bivariant, which lets a step name the shape of the old state.
export type Migration = { step(old: Record<string, unknown>): unknown }["step"];

/** The largest schema version: what a store keeps it in. */
const MAX_SCHEMA_VERSION = 32_767;

/** @throws {TypeError} when a version cannot be stored, or a migration starts from no earlier version. */
export function checkSchemaVersion(type: string, version = 1, migrate: Readonly<Record<number, Migration>> = {}): void {
  if (!Number.isInteger(version) || version < 1 || version > MAX_SCHEMA_VERSION) {
    throw new TypeError(`Cannot define the actor type "${type}": version is ${version}, expected 1 to 32767`);
  }
  for (const from of Object.keys(migrate)) {
    if (Number.isInteger(Number(from)) && Number(from) >= 1 && Number(from) < version) continue;
    throw new TypeError(
      `Cannot define the actor type "${type}": a migration from version ${from} leads nowhere, as the version is ${version}`,
    );
  }
}
