/** What the clients know to have happened. */
export interface History {
  /** Every reply to a raise, in the order of the replies; a repeat of an id is a further entry. */
  readonly raises: readonly { readonly counter: string; readonly id: string; readonly to: number }[];
  /** Every transfer that was answered, once. */
  readonly moves: readonly { readonly from: string; readonly to: string; readonly amount: number }[];
}

/** What the store holds when all is quiet again. */
export interface Found {
  readonly counters: ReadonlyMap<string, { readonly count: number; readonly version: number }>;
  readonly accounts: ReadonlyMap<
    string,
    { readonly balance: number; readonly changes: number; readonly version: number }
  >;
  /** The events in the order in which they leave: by partition and sequence number. */
  readonly events: readonly { readonly partition: number; readonly counter: string; readonly to: number }[];
  /** The sequence numbers of each partition's outbox, in order. */
  readonly sequences: ReadonlyMap<number, readonly number[]>;
  /** Sends that left and had no turn, in words. */
  readonly unanswered: readonly string[];
  /** What was given up, in words. */
  readonly deadLetters: readonly string[];
}

/** One thing that should not be, for people. */
export type Violation = string;

/**
 * Holds what was found against what was promised: nothing lost, nothing doubled, the same id the same answer, the sum of
 * all money unchanged, versions and sequence numbers without gaps, events in order.
 */
export function check(history: History, found: Found): Violation[] {
  return [
    ...checkCounters(history, found),
    ...checkAccounts(history, found),
    ...checkEvents(found),
    ...checkSequences(found),
    ...found.unanswered.map((send) => `A send had no turn: ${send}`),
    ...found.deadLetters.map((letter) => `A message was given up: ${letter}`),
  ];
}

function checkCounters({ raises }: History, { counters }: Found): Violation[] {
  const wrong: Violation[] = [];
  const answers = new Map<string, Map<string, number>>();
  for (const { counter, id, to } of raises) {
    const ids = answers.get(counter) ?? new Map<string, number>();
    answers.set(counter, ids);
    const before = ids.get(id);
    if (before !== undefined && before !== to)
      wrong.push(`${counter}: the id ${id} was answered ${before}, then ${to}`);
    ids.set(id, to);
  }
  for (const counter of new Set([...answers.keys(), ...counters.keys()])) {
    const ids = answers.get(counter) ?? new Map<string, number>();
    const { count, version } = counters.get(counter) ?? { count: 0, version: 0 };
    if (count < ids.size) wrong.push(`${counter}: ${ids.size} raises were answered, ${count} are there: lost`);
    if (count > ids.size) wrong.push(`${counter}: ${ids.size} raises were made, ${count} are there: doubled`);
    if (version !== count) wrong.push(`${counter}: its version is ${version} after ${count} turns`);
    const told = new Set(ids.values());
    if (told.size !== ids.size) wrong.push(`${counter}: two ids were answered with the same count`);
    for (const to of told)
      if (to < 1 || to > ids.size) wrong.push(`${counter}: the answer ${to} has no place among ${ids.size}`);
  }
  return wrong;
}

function checkAccounts({ moves }: History, { accounts }: Found): Violation[] {
  const wrong: Violation[] = [];
  const expected = new Map<string, { balance: number; changes: number }>();
  const change = (account: string, by: number): void => {
    const { balance, changes } = expected.get(account) ?? { balance: 0, changes: 0 };
    expected.set(account, { balance: balance + by, changes: changes + 1 });
  };
  for (const { from, to, amount } of moves) {
    change(from, -amount);
    change(to, amount);
  }
  let sum = 0;
  for (const account of new Set([...expected.keys(), ...accounts.keys()])) {
    const { balance, changes } = expected.get(account) ?? { balance: 0, changes: 0 };
    const there = accounts.get(account) ?? { balance: 0, changes: 0, version: 0 };
    sum += there.balance;
    if (there.changes !== changes) wrong.push(`${account}: ${changes} changes were sent, ${there.changes} arrived`);
    if (there.balance !== balance) wrong.push(`${account}: its balance is ${there.balance}, ${balance} was sent`);
    if (there.version !== there.changes)
      wrong.push(`${account}: its version is ${there.version} after ${there.changes} turns`);
  }
  if (sum !== 0) wrong.push(`All accounts together hold ${sum}, and should hold 0`);
  return wrong;
}

function checkEvents({ counters, events }: Found): Violation[] {
  const wrong: Violation[] = [];
  const reached = new Map<string, number>();
  for (const { counter, to } of events) {
    const before = reached.get(counter) ?? 0;
    if (to !== before + 1) wrong.push(`${counter}: the event for ${to} follows the one for ${before}`);
    reached.set(counter, to);
  }
  for (const [counter, { count }] of counters) {
    if ((reached.get(counter) ?? 0) !== count)
      wrong.push(`${counter}: events tell of ${reached.get(counter) ?? 0}, its state of ${count}`);
  }
  return wrong;
}

function checkSequences({ sequences }: Found): Violation[] {
  return [...sequences].flatMap(([partition, numbers]) => {
    const gap = numbers.findIndex((seq, i) => seq !== i + 1);
    return gap < 0 ? [] : [`Partition ${partition}: its outbox goes from ${numbers[gap - 1] ?? 0} to ${numbers[gap]}`];
  });
}
