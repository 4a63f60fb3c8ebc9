import { type KeyboardEvent, type ReactNode, useMemo, useState } from "react";
import { Empty } from "./feedback.tsx";
import { plural } from "./format.ts";

/** A column: what it shows of a row, and by what it sorts and is searched. */
interface Column<T> {
  readonly head: string;
  readonly cell: (row: T) => ReactNode;
  readonly value?: (row: T) => string | number;
  readonly number?: boolean;
  /** Left out on a phone. */
  readonly wide?: boolean;
}

interface TableProps<T> {
  /** What the rows are, as in `route`. */
  readonly noun: string;
  readonly rows: readonly T[];
  readonly rowKey: (row: T) => string;
  readonly columns: readonly Column<T>[];
  /** Shown where there are no rows at all. */
  readonly empty: ReactNode;
  /** Whether there are more rows than these. */
  readonly more?: boolean;
  readonly tools?: ReactNode;
}

const SEARCH_FROM = 8;

/** A list: counted, sorted by its heads, searched where it is long; cards on a phone. */
export function Table<T>({ noun, rows, rowKey, columns, empty, more = false, tools }: TableProps<T>) {
  const [sort, setSort] = useState<{ readonly head: string; readonly down: boolean }>();
  const [search, setSearch] = useState("");
  const shown = useMemo(() => {
    const wanted = search.trim().toLowerCase();
    const found =
      wanted === ""
        ? rows
        : rows.filter((row) =>
            columns.some(({ value }) =>
              String(value?.(row) ?? "")
                .toLowerCase()
                .includes(wanted),
            ),
          );
    const by = columns.find(({ head }) => head === sort?.head)?.value;
    if (by === undefined) return found;
    return found.toSorted((a, b) => {
      const [x, y] = [by(a), by(b)];
      return (
        (sort?.down === true ? -1 : 1) *
        (typeof x === "number" && typeof y === "number" ? x - y : String(x).localeCompare(String(y)))
      );
    });
  }, [rows, columns, search, sort]);
  if (rows.length === 0) return <div className="card">{empty}</div>;
  return (
    <div className="stack" style={{ gap: 8 }}>
      <div className="row">
        <span className="soft small grow" role="status">
          {shown.length < rows.length ? `${shown.length} of ${plural(rows.length, noun)}` : plural(rows.length, noun)}
          {more && ", and more"}
        </span>
        {tools}
        {rows.length >= SEARCH_FROM && (
          <input
            type="search"
            className="input filter"
            placeholder={`Search ${noun}s`}
            aria-label={`Search ${noun}s`}
            value={search}
            onChange={(event) => setSearch(event.target.value)}
          />
        )}
      </div>
      <div className="table-frame" tabIndex={0} role="region" aria-label={`${noun}s`} onKeyDown={goToRow}>
        <table className="table">
          <thead>
            <tr>
              {columns.map(({ head, value, number }) => (
                <th
                  key={head}
                  scope="col"
                  className={number ? "number" : undefined}
                  aria-sort={sort?.head === head ? (sort.down ? "descending" : "ascending") : undefined}
                >
                  {value === undefined ? (
                    head
                  ) : (
                    <button type="button" onClick={() => setSort({ head, down: sort?.head === head && !sort.down })}>
                      {head}
                      {sort?.head === head && (sort.down ? " ↓" : " ↑")}
                    </button>
                  )}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {shown.map((row) => (
              <tr key={rowKey(row)}>
                {columns.map(({ head, cell, number, wide }) => (
                  <td key={head} data-label={head} data-wide={wide} className={number ? "number" : undefined}>
                    {cell(row)}
                  </td>
                ))}
              </tr>
            ))}
            {shown.length === 0 && (
              <tr>
                <td colSpan={columns.length}>
                  <Empty title={`No ${noun} fits`} />
                </td>
              </tr>
            )}
          </tbody>
        </table>
      </div>
    </div>
  );
}

/** Arrows lead from row to row, to the first thing in each that can be used. */
function goToRow(event: KeyboardEvent<HTMLDivElement>): void {
  const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
  if (step === 0 || !(event.target instanceof HTMLElement)) return;
  const usable = [...event.currentTarget.querySelectorAll("tbody tr")].flatMap(
    (row) => row.querySelector<HTMLElement>("a, button") ?? [],
  );
  const here = usable.findIndex((one) => one.closest("tr")?.contains(event.target as Node));
  const next = usable[here + step];
  if (next === undefined) return;
  event.preventDefault();
  next.focus();
}
