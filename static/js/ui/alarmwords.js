// What an alarm is called where a machine is read out.

import { gettext } from "../lib/words.js";

export const ALARM_WORDS = {
  1: gettext("critical alarm"),
  2: gettext("high alarm"),
  3: gettext("medium alarm"),
  4: gettext("low alarm"),
};
