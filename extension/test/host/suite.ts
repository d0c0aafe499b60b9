/** The whole suite in one bundle, in this order: one window and one daemon serve all of it. */

import './activation.test';
import './runs.test';
import './programs.test';
import './configuration.test';
import './documents.test';
import './daemon.test';
