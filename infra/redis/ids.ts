/** Compares the ids of two entries, `1700000000000-0`: negative when `a` is the older one. */
export function compareIds(a: string, b: string): number {
  const [aMs, aSeq] = read(a);
  const [bMs, bSeq] = read(b);
  return aMs === bMs ? Number(aSeq - bSeq) : aMs < bMs ? -1 : 1;
}

function read(id: string): readonly [ms: bigint, seq: bigint] {
  const [ms = "0", seq = "0"] = id.split("-");
  return [BigInt(ms), BigInt(seq)];
}
