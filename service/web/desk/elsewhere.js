/** A page of another role's desk. */

import { start } from "./start.js";

start();
