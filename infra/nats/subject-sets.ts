/** Whether every subject that `inner` matches is matched by `outer` too. Both may hold `*` and `>`. */
export function covers(outer: string, inner: string): boolean {
  const [wide, narrow] = [outer.split("."), inner.split(".")];
  for (const [i, token] of wide.entries()) {
    const other = narrow[i];
    if (other === undefined) return false;
    if (token === ">") return true;
    if (other === ">" || (token !== "*" && token !== other)) return false;
  }
  return wide.length === narrow.length;
}

/**
 * Subjects with further ones, where these are not matched yet. Those that a further one covers give way to it: the server
 * takes no two that overlap.
 */
export function withSubjects(has: readonly string[], further: readonly string[]): string[] {
  const missing = further.filter((subject) => !has.some((one) => covers(one, subject)));
  return [...has.filter((one) => !missing.some((subject) => covers(subject, one))), ...missing];
}
