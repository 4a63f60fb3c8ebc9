import { useEffect, useRef } from "react";
import uPlot from "uplot";

/** A chart that begins is as wide as one that has run for this long. */
const LEAST_SECONDS = 60;

/** One line of a chart. */
interface ChartSeries {
  readonly label: string;
  /** A token, as in `--accent`. */
  readonly colour: string;
  readonly values: readonly (number | null)[];
}

/** Lines over time. `times` in seconds since 1970, one for each value. */
export function Chart({
  label,
  times,
  series,
  height = 220,
  hidden = false,
}: {
  label: string;
  times: readonly number[];
  series: readonly ChartSeries[];
  height?: number;
  /** While there is no point yet. */
  hidden?: boolean;
}) {
  const frame = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(null);
  const data = [times, ...series.map(({ values }) => values)] as unknown as uPlot.AlignedData;
  const latest = useRef(data);
  latest.current = data;
  const names = series.map(({ label: name, colour }) => `${name} ${colour}`).join("\n");
  useEffect(() => {
    const element = frame.current;
    if (element === null) return undefined;
    const colour = (token: string): string => resolve(element, token);
    const axis = {
      stroke: () => colour("--ink-soft"),
      grid: { stroke: () => colour("--line"), width: 1 },
      ticks: { show: false },
    };
    const made = new uPlot(
      {
        width: element.clientWidth,
        height,
        legend: { show: true, live: false },
        cursor: { show: false },
        scales: { x: { range: (_, min, max) => [Math.min(min, max - LEAST_SECONDS), max] } },
        axes: [axis, { ...axis, size: 56 }],
        series: [
          {},
          ...names.split("\n").map((text) => {
            const at = text.lastIndexOf(" ");
            return {
              label: text.slice(0, at),
              stroke: () => colour(text.slice(at + 1)),
              width: 2,
              points: { show: false },
            };
          }),
        ],
      },
      latest.current,
      element,
    );
    plot.current = made;
    const resized = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height }));
    resized.observe(element);
    return () => {
      resized.disconnect();
      made.destroy();
    };
  }, [names, height]);
  useEffect(() => plot.current?.setData(latest.current), [data]);
  return <div ref={frame} className="chart" role="img" aria-label={label} data-hidden={hidden} />;
}

/** The colour of a token as a canvas takes it: `light-dark()` is resolved by the element. */
function resolve(element: HTMLElement, token: string): string {
  const probe = document.createElement("i");
  probe.style.color = `var(${token})`;
  element.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}
