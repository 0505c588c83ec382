"""How fast, how large, how soon: this library beside everything else one could use.

``python -m benchmarks`` measures in one run, interleaved, on bodies of the sandbox, and writes
``benchmarks/RESULTS.md`` and ``docs/images/cost.png``; on an idle machine that takes some 15
minutes and 4 GB of memory. It needs the extra ``bench``; a contender whose package is not
installed is left out, and the results say so.

Way of a run: ``bodies`` makes what is read, ``contenders`` read it, ``measure`` (time),
``memory`` (peak, in processes of their own), ``commands`` (whole commands over loopback),
``startup`` and ``worst`` observe, ``bars`` holds the results against what is promised, and
``report`` and ``plot`` show them.
"""
