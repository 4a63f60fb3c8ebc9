import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { ask } from "../kit/api.ts";
import { Failure, Skeleton } from "../kit/feedback.tsx";
import { ThemeSwitch } from "../kit/theme.tsx";
import { groupsOf, type OpenApi, type Operation } from "./operations.ts";

/** Every route, as the OpenAPI document says it. */
export function Api() {
  const document = useQuery({
    queryKey: ["openapi"],
    queryFn: () => ask<OpenApi>("/openapi/json"),
    staleTime: Infinity,
  });
  const [wanted, setWanted] = useState("");
  const groups = document.data === undefined ? [] : groupsOf(document.data, wanted);
  return (
    <div className="api">
      <header className="api-head">
        <a className="brand" href="/">
          Troupe
        </a>
        <nav className="row grow" aria-label="Pages">
          <a href="/">Shop</a>
          <a href="/console">Console</a>
          <a href="/openapi" aria-current="page">
            API
          </a>
        </nav>
        <ThemeSwitch />
      </header>
      <main className="stack api-main">
        <div className="row">
          <h1 className="grow">API</h1>
          <a className="button" href="/openapi/json">
            OpenAPI 3.1 document
          </a>
        </div>
        <p className="soft">
          Errors are <code>application/problem+json</code> with a stable <code>code</code> and a <code>traceId</code>.
          Writes take an <code>Idempotency-Key</code>; lists take <code>limit</code> and <code>cursor</code>.
        </p>
        <input
          className="input"
          type="search"
          aria-label="Find a route"
          placeholder="Find a route"
          value={wanted}
          onChange={(event) => setWanted(event.target.value)}
        />
        {document.isPending && <Skeleton rows={10} height={40} />}
        {document.isError && <Failure error={document.error} retry={() => void document.refetch()} />}
        {groups.map(({ tag, operations }) => (
          <section key={tag} className="stack" aria-label={tag}>
            <h2>{tag}</h2>
            <div className="card">
              {operations.map((operation) => (
                <Route key={operation.method + operation.path} operation={operation} />
              ))}
            </div>
          </section>
        ))}
      </main>
    </div>
  );
}

function Route({ operation }: { operation: Operation }) {
  const { method, path, summary, description, scope, parameters, body, answers } = operation;
  return (
    <details className="route">
      <summary>
        <span className={`method ${method}`}>{method}</span>
        <code className="grow">{path}</code>
        <span className="soft clip">{summary}</span>
      </summary>
      <div className="stack">
        {description !== undefined && <p>{description}</p>}
        {scope !== undefined && (
          <p className="soft">
            Needs a key with <code>{scope}</code>
          </p>
        )}
        {parameters.length > 0 && (
          <dl className="facts">
            {parameters.map(({ name, where, required, schema }) => (
              <div key={where + name} className="fact">
                <dt>
                  <code>{name}</code> <span className="small">{where + (required ? "" : ", optional")}</span>
                </dt>
                <dd>
                  <code>{JSON.stringify(schema)}</code>
                </dd>
              </div>
            ))}
          </dl>
        )}
        {body !== undefined && (
          <div className="stack">
            <h3>Body</h3>
            <pre className="json">{JSON.stringify(body, null, 2)}</pre>
          </div>
        )}
        {answers.map(({ status, description: said, schema }) => (
          <div key={status} className="stack">
            <h3>
              {status} <span className="soft">{said}</span>
            </h3>
            {schema !== undefined && <pre className="json">{JSON.stringify(schema, null, 2)}</pre>}
          </div>
        ))}
      </div>
    </details>
  );
}
