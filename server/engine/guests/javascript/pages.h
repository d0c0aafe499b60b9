/* The pages of the snapshot that every run writes, written before anything reads them.

   A page that is read first costs two faults, and the kernel maps the fifteen around it as well, into every live run. The
   builder runs a program in the snapshot, sees which pages that wrote, and makes the snapshot again with their list. */
#pragma once

/* While the snapshot is made: takes the list from the host. */
void pages_learn(void);

/* The snapshot is complete: the next `pages_own` is a run's. */
void pages_ready(void);

/* Makes the listed pages the run's own, the first time it is called in a run. */
void pages_own(void);
