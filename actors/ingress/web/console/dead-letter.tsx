import { Redo2, Trash2 } from "lucide-react";
import { useLocation } from "wouter";
import { useAction } from "../kit/action.ts";
import { Chip } from "../kit/chip.tsx";
import { Confirm } from "../kit/confirm.tsx";
import { Json, JsonForm } from "../kit/json.tsx";
import { Loaded } from "../kit/loaded.tsx";
import { Page, Section } from "../kit/page.tsx";
import { useParam } from "../kit/param.ts";
import { State } from "../kit/state.tsx";
import { When } from "../kit/time.tsx";
import { useToast } from "../kit/toasts.tsx";
import { type DeadLetter, usePolled } from "./api.ts";
import { markedLines, misfitsOf } from "./misfits.ts";

interface Whole extends DeadLetter {
  readonly data: unknown;
  readonly original: { readonly data: unknown } | null;
  readonly edits: readonly { readonly at: string; readonly by: string | null }[];
  readonly record: unknown;
}

/** One dead letter: why, what it holds, and mending, replaying or deleting it. */
export function DeadLetterPage() {
  const id = useParam("id");
  const path = `/dead-letters/${encodeURIComponent(id)}`;
  const letter = usePolled<Whole>(path, 10_000);
  const [, go] = useLocation();
  const say = useToast();
  const action = useAction([path], ["dead-letters"]);
  const back = (): void => go("/dead-letters");
  return (
    <Page
      title="Dead letter"
      tools={
        letter.data && (
          <>
            <button
              type="button"
              className="button primary"
              disabled={action.isPending}
              onClick={() =>
                action.mutate({
                  path: `${path}/replay`,
                  done: "Tried again",
                  then: (answer) => {
                    const { failed } = answer as { readonly failed: readonly { readonly detail: string }[] };
                    const [first] = failed;
                    if (first === undefined) back();
                    else say("bad", "failed again", first.detail);
                  },
                })
              }
            >
              <Redo2 size={14} aria-hidden="true" />
              Replay
            </button>
            <Confirm
              label="Delete"
              icon={Trash2}
              title="Delete this dead letter?"
              sure="Delete"
              onSure={() => action.mutate({ path, method: "DELETE", done: "Deleted", then: back })}
            >
              What it holds is gone for good.
            </Confirm>
          </>
        )
      }
    >
      <Loaded query={letter} rows={3} height={120}>
        {(shown) => {
          const { reason, detail, data, original, record } = shown;
          return (
            <>
              <div className="all-well" data-tone="warning">
                <State tone="warning">{reason}</State>
                <span className="grow">{detail}</span>
              </div>
              <div className="halves">
                <Section title="What it holds">
                  <JsonForm
                    key={JSON.stringify(data)}
                    label="Data, as JSON"
                    initial={JSON.stringify(data, undefined, 2)}
                    submit="Save"
                    disabled={action.isPending}
                    onSubmit={(json) =>
                      action.mutate({
                        path,
                        method: "PATCH",
                        json: { data: json },
                        done: "Saved; replay it when you are done",
                      })
                    }
                  />
                </Section>
                <div className="stack">
                  <Misfits detail={detail} data={data} />
                  <Facts id={id} letter={shown} />
                  {original !== null && (
                    <Section title="As it came">
                      <Json value={original.data} label="As it came" />
                    </Section>
                  )}
                  <Section title="The whole record">
                    <Json value={record} label="The whole record" />
                  </Section>
                </div>
              </div>
            </>
          );
        }}
      </Loaded>
    </Page>
  );
}

/** The data with each place marked that its schema refused. */
function Misfits({ detail, data }: { detail: string; data: unknown }) {
  const misfits = misfitsOf(detail);
  if (misfits.length === 0) return null;
  return (
    <Section title="Where it does not fit">
      <ol className="json marked" aria-label="The data, with what does not fit marked" tabIndex={0}>
        {markedLines(data, misfits).map(({ text, misfits: wrong }, i) => (
          <li key={i} data-wrong={wrong.length > 0}>
            <span>{text}</span>
            {wrong.map((message) => (
              <strong key={message} className="bad">
                {" "}
                ← {message}
              </strong>
            ))}
          </li>
        ))}
      </ol>
    </Section>
  );
}

function Facts({ id, letter }: { id: string; letter: Whole }) {
  const { type, target, key, attempts, at, edits } = letter;
  return (
    <Section title="Facts">
      <dl className="facts">
        <dt>Id</dt>
        <dd>
          <Chip id={id} label="dead letter id" />
        </dd>
        <dt>Type</dt>
        <dd>
          <code>{type ?? "–"}</code>
        </dd>
        <dt>Target</dt>
        <dd>
          <code>{target}</code>
        </dd>
        <dt>Key</dt>
        <dd>
          <code>{key}</code>
        </dd>
        <dt>Tries</dt>
        <dd className="number">{attempts}</dd>
        <dt>Since</dt>
        <dd>
          <When at={at} />
        </dd>
        {edits.map((edit) => (
          <div key={edit.at} className="fact">
            <dt>Edited</dt>
            <dd>
              <When at={edit.at} /> {edit.by ?? ""}
            </dd>
          </div>
        ))}
      </dl>
    </Section>
  );
}
