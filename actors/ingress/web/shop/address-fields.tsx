import { COUNTRIES } from "./countries.ts";

/** An address, as a courier reads it. */
export interface AddressForm {
  readonly name: string;
  readonly street: string;
  readonly postcode: string;
  readonly city: string;
  readonly country: string;
}

const FIELDS = [
  ["name", "Name", "name"],
  ["street", "Street and number", "street-address"],
  ["postcode", "Postcode", "postal-code"],
  ["city", "City", "address-level2"],
] as const;

/** The fields of an address, as the browser can fill them in. */
export function AddressFields({ value, onChange }: { value: AddressForm; onChange: (value: AddressForm) => void }) {
  return (
    <div className="address">
      {FIELDS.map(([key, label, autoComplete]) => (
        <div key={key} className="field" data-field={key}>
          <label htmlFor={`address-${key}`}>{label}</label>
          <input
            id={`address-${key}`}
            className="input"
            required
            maxLength={200}
            autoComplete={autoComplete}
            value={value[key]}
            onChange={(event) => onChange({ ...value, [key]: event.target.value })}
          />
        </div>
      ))}
      <div className="field" data-field="country">
        <label htmlFor="address-country">Country</label>
        <select
          id="address-country"
          className="select"
          autoComplete="country"
          value={value.country}
          onChange={(event) => onChange({ ...value, country: event.target.value })}
        >
          {COUNTRIES.map((code) => (
            <option key={code} value={code}>
              {new Intl.DisplayNames(undefined, { type: "region" }).of(code)}
            </option>
          ))}
        </select>
      </div>
    </div>
  );
}
