import { Suspense } from "react";
import { Route, Switch } from "wouter";
import { start } from "../kit/app.tsx";
import { Empty, Skeleton } from "../kit/feedback.tsx";
import { loadLater } from "../kit/load-later.ts";
import { Shell } from "./shell.tsx";

const Home = loadLater(() => import("./home.tsx").then(({ Home: page }) => page));
const Checkout = loadLater(() => import("./checkout.tsx").then(({ Checkout: page }) => page));
const Orders = loadLater(() => import("./orders.tsx").then(({ Orders: page }) => page));
const OrderPage = loadLater(() => import("./order.tsx").then(({ OrderPage: page }) => page));
const Simulator = loadLater(() => import("./simulator.tsx").then(({ Simulator: page }) => page));

start(
  <Shell>
    <Suspense fallback={<Skeleton rows={6} height={80} />}>
      <Switch>
        <Route path="/" component={Home} />
        <Route path="/shop/checkout" component={Checkout} />
        <Route path="/shop/orders" component={Orders} />
        <Route path="/shop/orders/:id" component={OrderPage} />
        <Route path="/simulator" component={Simulator} />
        <Route>
          <Empty title="There is no such page">
            <a href="/">To the products</a>
          </Empty>
        </Route>
      </Switch>
    </Suspense>
  </Shell>,
);
