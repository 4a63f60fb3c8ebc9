import { Printer } from "lucide-react";
import { useState } from "react";
import { Dialog } from "../kit/dialog.tsx";
import { exact, money } from "../kit/format.ts";
import { AddressText } from "./address-text.tsx";
import { Sums } from "./sums.tsx";
import type { Address, Invoice } from "./types.ts";

/** The invoice of an order: opened as a sheet, and printed as it is. */
export function InvoiceSheet({ invoice, address }: { invoice: Invoice; address: Address | null }) {
  const [open, setOpen] = useState(false);
  const { invoiceId, number, customerId, lines, charges, total, currency, issuedAt, creditNotes = [] } = invoice;
  return (
    <>
      <button type="button" className="button" onClick={() => setOpen(true)}>
        <Printer size={14} aria-hidden="true" />
        Invoice {number ?? ""}
      </button>
      <Dialog
        title={`Invoice ${number ?? invoiceId}`}
        open={open}
        onClose={() => setOpen(false)}
        foot={
          <button type="button" className="button primary" onClick={() => print()}>
            Print
          </button>
        }
      >
        <div className="stack invoice">
          <div className="row invoice-head">
            <div className="grow">
              <strong>Troupe Tea</strong>
              <div className="soft small">Issued {exact(Date.parse(issuedAt))}</div>
            </div>
            <div className="small">
              <div className="soft">{customerId}</div>
              <AddressText address={address} />
            </div>
          </div>
          <Sums lines={lines} charges={charges} total={total} currency={currency} />
          {creditNotes.map((note) => (
            <div key={note.number} className="row">
              <span className="grow">
                Credit note {note.number}, {exact(Date.parse(note.issuedAt))}
              </span>
              <span className="number">−{money(note.amount, currency)}</span>
            </div>
          ))}
        </div>
      </Dialog>
    </>
  );
}
