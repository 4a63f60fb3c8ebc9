/**
 * What holds a target back that is missed, as a profile showed it. Kept by hand: `bun run bench --report` prints it beside the
 * missed target, and says where there is none. The key is that of the target, `bench: case`.
 */
export const BOUNDS: Readonly<Record<string, string>> = {};
