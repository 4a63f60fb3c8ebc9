import type { AnyActorType } from "#runtime";
import { Auditor } from "./auditor/auditor.ts";
import { Customer } from "./customer/customer.ts";
import { createDelivery } from "./delivery/delivery.ts";
import type { CourierOptions } from "./delivery/sandbox-courier.ts";
import { InvoiceBook } from "./invoice-book/invoice-book.ts";
import { Invoice } from "./invoice/invoice.ts";
import { Notification } from "./notification/notification.ts";
import { Order } from "./order/order.ts";
import { Payment } from "./payment/payment.ts";
import { SandboxPayment } from "./sandbox-payment/sandbox-payment.ts";
import { Simulation } from "./simulation/simulation.ts";
import { Stock } from "./stock/stock.ts";

/** Every actor type of the shop. */
export function shopActors(courier: CourierOptions = {}): readonly AnyActorType[] {
  return [
    Order,
    Customer,
    Stock,
    Payment,
    SandboxPayment,
    createDelivery(courier),
    Invoice,
    InvoiceBook,
    Notification,
    Simulation,
    Auditor,
  ];
}

/** Actor types that live in the database of another one's service, by type. The others have their own. */
export const SHARED_STORES: Readonly<Record<string, "payment" | "invoice" | "order">> = {
  [SandboxPayment.type]: "payment",
  [InvoiceBook.type]: "invoice",
  [Simulation.type]: "order",
  [Auditor.type]: "order",
};
