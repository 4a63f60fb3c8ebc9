/** What the API answers about the shop, as far as these pages show it. Optional members are of later editions of it. */
export interface Product {
  readonly sku: string;
  readonly name: string;
  readonly price: number;
  readonly currency: string;
}

export interface StockLevel {
  readonly sku: string;
  readonly onHand: number;
  readonly reserved: number;
  readonly available: number;
}

export type Address = string | Readonly<Record<string, string>>;

export interface Line {
  readonly sku: string | null;
  readonly name: string;
  readonly quantity: number;
  readonly price: number | null;
}

interface Moment {
  readonly status: string;
  readonly at: string;
  readonly note?: string;
}

/** All in minor units. */
export interface Charges {
  readonly goods: number;
  readonly shipping: number;
  readonly tax: number;
}

export interface Invoice {
  readonly invoiceId: string;
  readonly number?: string;
  readonly customerId: string;
  readonly lines: readonly Line[];
  readonly charges?: Charges;
  readonly total: number;
  readonly currency: string;
  readonly issuedAt: string;
  readonly creditNotes?: readonly { readonly number: string; readonly amount: number; readonly issuedAt: string }[];
}

interface Decision {
  readonly lines: readonly { readonly sku: string; readonly wanted: number; readonly held: number }[];
  readonly until: string;
  readonly choice: "accept" | "wait" | "cancel" | null;
}

export interface Order {
  readonly orderId: string;
  readonly customerId: string;
  readonly status: string;
  readonly reason?: string;
  readonly lines: readonly Line[];
  readonly total: number;
  readonly currency: string;
  readonly charges?: Charges;
  readonly address: Address | null;
  readonly workflowId: string;
  readonly cancelRequested: boolean;
  readonly returnRequested?: boolean;
  readonly decision?: Decision;
  readonly undoFailures?: readonly { readonly undo: string; readonly reason: string }[];
  readonly history: readonly Moment[];
  readonly payment: {
    readonly status: string;
    readonly amount?: number;
    readonly currency?: string;
    readonly authorizationId?: string;
    readonly declineReason?: string;
    readonly refunded?: number;
  } | null;
  readonly delivery: { readonly status: string; readonly history: readonly Moment[] } | null;
  readonly invoice: Invoice | null;
  readonly links: { readonly self: string; readonly temporal: string | null };
}

export interface OrderSummary {
  readonly orderId: string;
  readonly customerId: string;
  readonly status: string;
  readonly reason?: string;
  readonly total: number;
  readonly currency: string;
  readonly placedAt: string;
}

export interface Notices {
  readonly items: readonly {
    readonly id: string;
    readonly type: string;
    readonly orderId: string;
    readonly text: string;
    readonly at: string;
    readonly read?: boolean;
  }[];
}
