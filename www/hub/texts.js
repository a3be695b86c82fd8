// Every word the page shows.

import { de } from "./texts_de.js";
import { en } from "./texts_en.js";

export const texts = { de, en };
