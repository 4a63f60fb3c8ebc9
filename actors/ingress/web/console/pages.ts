import {
  Boxes,
  ChartLine,
  Container,
  FlaskConical,
  LayoutDashboard,
  type LucideIcon,
  MailWarning,
  Network,
  RadioTower,
  Route as RouteIcon,
  Settings as SettingsIcon,
  Waypoints,
  Workflow,
} from "lucide-react";

/** The pages of the console, as the navigation and the palette show them. */
export const PAGES: readonly {
  readonly to: string;
  readonly label: string;
  readonly icon: LucideIcon;
  /** A page that belongs to it and has a path of its own. */
  readonly also?: string;
}[] = [
  { to: "/", label: "Overview", icon: LayoutDashboard },
  { to: "/actors", label: "Actors", icon: Boxes },
  { to: "/events", label: "Events", icon: RouteIcon },
  { to: "/brokers", label: "Brokers", icon: RadioTower },
  { to: "/dead-letters", label: "Dead letters", icon: MailWarning },
  { to: "/workflows", label: "Workflows", icon: Workflow },
  { to: "/services", label: "Services", icon: Container, also: "/config" },
  { to: "/traces", label: "Traces", icon: Waypoints },
  { to: "/cluster", label: "Cluster", icon: Network },
  { to: "/metrics", label: "Metrics", icon: ChartLine },
  { to: "/chaos", label: "Chaos", icon: FlaskConical },
  { to: "/settings", label: "Settings", icon: SettingsIcon },
];
