"""Where Spark looks for the data source ``smspartner``: it imports every ``pyspark_*`` package.

Spark does so in every session, without a guard, so this never fails: without Spark 4 or pyarrow
there is no data source, and ``format("smspartner")`` says that it was not found.
"""

from contextlib import suppress

with suppress(ImportError):
    from smspartner.engines.spark import DefaultSource as DefaultSource
