import { type ReactNode, useState } from "react";
import { JsonForm } from "./json.tsx";

/** As much of a JSON Schema as a form is made from. */
export interface FormSchema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, FormSchema>>;
  readonly required?: readonly string[];
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
  readonly description?: string;
}

interface SchemaFormProps {
  /** `null`: nothing is taken. */
  readonly schema: FormSchema | null;
  readonly submit: string;
  readonly disabled: boolean;
  readonly onSubmit: (value: unknown) => void;
  /** Further fields, above. */
  readonly children?: ReactNode;
}

const SCALARS: ReadonlySet<string> = new Set(["string", "number", "integer", "boolean"]);

/** A form made from a JSON Schema: a field for each member where all of them are plain values, else one field of JSON. */
export function SchemaForm({ schema, ...form }: SchemaFormProps) {
  const members = Object.entries(schema?.properties ?? {});
  const isPlain = members.every(([, member]) => SCALARS.has(member.type ?? "") || member.enum !== undefined);
  if (schema === null || (schema.type === "object" && members.length > 0 && isPlain))
    return <Fields members={members} required={schema?.required ?? []} none={schema === null} {...form} />;
  return (
    <JsonForm
      key={JSON.stringify(schema)}
      label="Input, as JSON"
      initial={schema.type === "object" ? JSON.stringify(sketch(schema), undefined, 2) : ""}
      {...form}
    >
      {form.children}
    </JsonForm>
  );
}

interface FieldsProps extends Omit<SchemaFormProps, "schema"> {
  readonly members: readonly (readonly [string, FormSchema])[];
  readonly required: readonly string[];
  readonly none: boolean;
}

function Fields({ members, required, none, submit, disabled, onSubmit, children }: FieldsProps) {
  const [texts, setTexts] = useState<Readonly<Record<string, string>>>({});
  const value = (): unknown => {
    const given = members.flatMap(([name, member]) => {
      const text = texts[name] ?? "";
      return text === "" ? [] : [[name, read(text, member)]];
    });
    return none ? undefined : (Object.fromEntries(given) as unknown);
  };
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault();
        onSubmit(value());
      }}
    >
      {children}
      {members.map(([name, member]) => (
        <Field
          key={name}
          name={name}
          schema={member}
          isRequired={required.includes(name)}
          text={texts[name] ?? ""}
          change={(text) => setTexts({ ...texts, [name]: text })}
        />
      ))}
      <div className="row">
        <button type="submit" className="button primary" disabled={disabled}>
          {submit}
        </button>
      </div>
    </form>
  );
}

interface FieldProps {
  readonly name: string;
  readonly schema: FormSchema;
  readonly isRequired: boolean;
  readonly text: string;
  readonly change: (text: string) => void;
}

function Field({ name, schema, isRequired, text, change }: FieldProps) {
  const id = `field-${name}`;
  const choices = schema.enum ?? (schema.type === "boolean" ? [true, false] : undefined);
  const isNumber = schema.type === "number" || schema.type === "integer";
  return (
    <div className="field">
      <label htmlFor={id}>
        {name}
        {!isRequired && <span className="soft"> (may be left out)</span>}
      </label>
      {choices === undefined ? (
        <input
          id={id}
          className="input"
          type={isNumber ? "number" : "text"}
          step={schema.type === "integer" ? 1 : "any"}
          required={isRequired}
          placeholder={schema.default === undefined ? "" : String(schema.default)}
          value={text}
          onChange={(event) => change(event.target.value)}
        />
      ) : (
        <select
          id={id}
          className="select"
          required={isRequired}
          value={text}
          onChange={(event) => change(event.target.value)}
        >
          <option value="" />
          {choices.map((choice) => (
            <option key={String(choice)}>{String(choice)}</option>
          ))}
        </select>
      )}
      {schema.description !== undefined && <span className="soft small">{schema.description}</span>}
    </div>
  );
}

function read(text: string, { type, enum: choices }: FormSchema): unknown {
  const chosen = choices?.find((choice) => String(choice) === text);
  if (chosen !== undefined) return chosen;
  if (type === "boolean") return text === "true";
  return type === "number" || type === "integer" ? Number(text) : text;
}

/** What has to be there, empty. */
function sketch({ type, properties = {}, required = [], default: byDefault }: FormSchema): unknown {
  if (byDefault !== undefined) return byDefault;
  if (type === "object")
    return Object.fromEntries(required.map((name): [string, unknown] => [name, sketch(properties[name] ?? {})]));
  if (type === "array") return [];
  if (type === "number" || type === "integer") return 0;
  return type === "boolean" ? false : "";
}
