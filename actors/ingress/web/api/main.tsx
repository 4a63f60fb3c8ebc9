import { start } from "../kit/app.tsx";
import { Api } from "./api.tsx";

start(<Api />);
