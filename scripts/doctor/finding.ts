/** One line of the doctor's report. */
export interface Finding {
  readonly area: "runtime" | "server" | "durability" | "clock" | "stores" | "settings";
  readonly name: string;
  /** `later`: not here, but brought by the first start; `off`: possible, not running; `bad`: needs the fix. */
  readonly status: "ok" | "later" | "off" | "bad";
  readonly detail: string;
  readonly fix?: string;
}
