import { lazy, Suspense } from "react";
import { Route, Switch } from "wouter";
import { start } from "../kit/app.tsx";
import { Empty, Skeleton } from "../kit/feedback.tsx";
import { Shell } from "./shell.tsx";

const Home = lazy(() => import("./home.tsx").then(({ Home: page }) => ({ default: page })));
const Checkout = lazy(() => import("./checkout.tsx").then(({ Checkout: page }) => ({ default: page })));
const Orders = lazy(() => import("./orders.tsx").then(({ Orders: page }) => ({ default: page })));
const OrderPage = lazy(() => import("./order.tsx").then(({ OrderPage: page }) => ({ default: page })));
const Simulator = lazy(() => import("./simulator.tsx").then(({ Simulator: page }) => ({ default: page })));

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
