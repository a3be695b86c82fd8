// Every word the page shows.

import { withCommon } from "../shared/texts.js";
import { de } from "./texts_de.js";
import { en } from "./texts_en.js";

export const texts = withCommon({ de, en });
