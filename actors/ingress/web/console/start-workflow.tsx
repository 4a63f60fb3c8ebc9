import { Play } from "lucide-react";
import { useState } from "react";
import { useLocation } from "wouter";
import { useAction } from "../kit/action.ts";
import { Dialog } from "../kit/dialog.tsx";
import { Json } from "../kit/json.tsx";
import { type FormSchema, SchemaForm } from "../kit/schema-form.tsx";
import { usePolled } from "./api.ts";

interface Types {
  readonly items: readonly { readonly name: string; readonly taskQueue: string; readonly input: FormSchema }[];
}

/** Starts a workflow of a type, with the schema of its input beside the form. */
export function StartWorkflow() {
  const [open, setOpen] = useState(false);
  const [name, setName] = useState("");
  const types = usePolled<Types>("/workflows/types", 60_000);
  const [, go] = useLocation();
  const action = useAction(["workflows"]);
  const type = types.data?.items.find((one) => one.name === name) ?? types.data?.items[0];
  return (
    <>
      <button type="button" className="button primary" onClick={() => setOpen(true)}>
        <Play size={14} aria-hidden="true" />
        Start
      </button>
      <Dialog title="Start a workflow" open={open} onClose={() => setOpen(false)}>
        {type === undefined ? (
          <span className="soft">No type is known here: the role `workflows` runs elsewhere.</span>
        ) : (
          <div className="stack">
            <SchemaForm
              key={type.name}
              schema={type.input}
              submit={`Start ${type.name}`}
              disabled={action.isPending}
              onSubmit={(input) =>
                action.mutate({
                  path: `/workflows/${encodeURIComponent(type.name)}`,
                  json: { input },
                  done: `${type.name} is running`,
                  then: (answer) =>
                    go(`/workflows/${encodeURIComponent((answer as { workflowId: string }).workflowId)}`),
                })
              }
            >
              <div className="field">
                <label htmlFor="workflow-type">Type</label>
                <select
                  id="workflow-type"
                  className="select"
                  value={type.name}
                  onChange={(event) => setName(event.target.value)}
                >
                  {types.data?.items.map((one) => (
                    <option key={one.name}>{one.name}</option>
                  ))}
                </select>
              </div>
            </SchemaForm>
            <details>
              <summary>The schema of its input</summary>
              <Json value={type.input} label="Schema of the input" />
            </details>
          </div>
        )}
      </Dialog>
    </>
  );
}
