/** One line of a panel: a PromQL expression, and how its lines are called. */
export interface Query {
  readonly expr: string;
  readonly legend: string;
}

/** One chart. */
export interface Panel {
  readonly title: string;
  /** Grafana's name of the unit. */
  readonly unit: "s" | "short" | "ops" | "bytes" | "percentunit";
  readonly queries: readonly Query[];
}

/** Charts that belong together, with a sentence what to look for. */
export interface Row {
  readonly title: string;
  readonly lookFor: string;
  readonly panels: readonly Panel[];
}

/** A dashboard, as far as ours differ. */
export interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly rows: readonly Row[];
}

const SOURCE = { type: "prometheus", uid: "prometheus" } as const;
const WIDTH = 24;
const TEXT_HEIGHT = 2;
const CHART_HEIGHT = 7;

/** The dashboard as Grafana reads it (schema 39), with exemplars on, so that a slow point leads to its trace. */
export function grafanaJson({ uid, title, rows }: Dashboard): string {
  const panels: object[] = [];
  let y = 0;
  let id = 1;
  for (const row of rows) {
    panels.push({
      id: id++,
      type: "row",
      title: row.title,
      collapsed: false,
      gridPos: at(0, y++, WIDTH, 1),
      panels: [],
    });
    panels.push({
      id: id++,
      type: "text",
      gridPos: at(0, y, WIDTH, TEXT_HEIGHT),
      options: { mode: "markdown", content: row.lookFor },
    });
    y += TEXT_HEIGHT;
    const width = Math.floor(WIDTH / row.panels.length);
    row.panels.forEach((panel, i) => {
      panels.push({
        id: id++,
        type: "timeseries",
        title: panel.title,
        datasource: SOURCE,
        gridPos: at(i * width, y, width, CHART_HEIGHT),
        fieldConfig: { defaults: { unit: panel.unit, min: 0 }, overrides: [] },
        targets: panel.queries.map(({ expr, legend }, n) => ({
          refId: String.fromCodePoint(65 + n),
          datasource: SOURCE,
          expr,
          legendFormat: legend,
          exemplar: expr.includes("_bucket"),
        })),
      });
    });
    y += CHART_HEIGHT;
  }
  const dashboard = {
    uid,
    title,
    tags: ["troupe"],
    timezone: "browser",
    schemaVersion: 39,
    refresh: "15s",
    time: { from: "now-1h", to: "now" },
    templating: { list: [] },
    annotations: { list: [] },
    panels,
  };
  return `${JSON.stringify(dashboard, undefined, 2)}\n`;
}

function at(x: number, y: number, w: number, h: number): object {
  return { x, y, w, h };
}
