"""Work as rows of the database: begun with a lease, kept alive by a heartbeat, finished in one transaction."""

from cohortex.study.jobs.queue import cancel, claim, enqueue, heartbeat, release_expired, retry
from cohortex.study.jobs.worker import Finish, Handler, work

__all__ = ["Finish", "Handler", "cancel", "claim", "enqueue", "heartbeat", "release_expired", "retry", "work"]
