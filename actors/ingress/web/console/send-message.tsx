import { useState } from "react";
import { useAction } from "../kit/action.ts";
import { Json } from "../kit/json.tsx";
import { Loaded } from "../kit/loaded.tsx";
import { Section } from "../kit/page.tsx";
import { SchemaForm } from "../kit/schema-form.tsx";
import { useActorType } from "./api.ts";

/** Says something to an actor: a form for each of its messages, and the reply. */
export function SendMessage({ type, path }: { type: string; path: string }) {
  const known = useActorType(type);
  const [name, setName] = useState("");
  const [reply, setReply] = useState<unknown>();
  const action = useAction([path]);
  return (
    <Section title="Send a message">
      <Loaded query={known} rows={2}>
        {({ messages }) => {
          const message = messages.find((one) => one.name === name) ?? messages[0];
          if (message === undefined) return <span className="soft">It takes none</span>;
          return (
            <div className="stack">
              <SchemaForm
                key={message.name}
                schema={message.input}
                submit={`Send ${message.name}`}
                disabled={action.isPending}
                onSubmit={(json) =>
                  action.mutate({
                    path: `${path}/${encodeURIComponent(message.name)}`,
                    json,
                    done: `${message.name} was handled`,
                    then: setReply,
                  })
                }
              >
                <div className="field">
                  <label htmlFor="message">Message</label>
                  <select
                    id="message"
                    className="select"
                    value={message.name}
                    onChange={(event) => setName(event.target.value)}
                  >
                    {messages.map((one) => (
                      <option key={one.name} value={one.name}>
                        {one.name} ({one.kind})
                      </option>
                    ))}
                  </select>
                </div>
              </SchemaForm>
              {message.refuses.length > 0 && (
                <p className="soft small">It may refuse: {message.refuses.join(", ").replaceAll("_", " ")}</p>
              )}
            </div>
          );
        }}
      </Loaded>
      {reply !== undefined && <Json value={reply} label="Reply" />}
    </Section>
  );
}
