# logbench on the CPU. Build: docker build -t logbench .   Run: docker run --rm -v "$PWD/data:/data" logbench --help
# The wheel and its kernel are built in the first stage, so that the second holds neither a compiler nor the sources.
FROM python:3.11-slim AS build
RUN apt-get update \
    && apt-get install --yes --no-install-recommends gcc libc6-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /source
COPY pyproject.toml hatch_build.py README.md LICENSE constraints.txt ./
COPY logbench logbench
COPY plugins plugins
COPY datasets datasets
# torch of its own index is the build without CUDA, a tenth of the size.
ARG EXTRAS=deep,report
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
RUN python -m venv /opt/logbench
RUN /opt/logbench/bin/pip install --no-cache-dir --constraint constraints.txt --extra-index-url "$TORCH_INDEX" ".[$EXTRAS]"

FROM python:3.11-slim
LABEL org.opencontainers.image.title="logbench" \
      org.opencontainers.image.description="A benchmark harness for log anomaly detection" \
      org.opencontainers.image.licenses="Apache-2.0"
# OpenMP, which torch and scikit-learn load.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libgomp1 \
    && rm -rf /var/lib/apt/lists/*
RUN useradd --uid 1000 --create-home logbench \
    && mkdir -p /data /cache /work \
    && chown logbench /data /cache /work
COPY --from=build /opt/logbench /opt/logbench
ENV PATH=/opt/logbench/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    LOGBENCH_DATA=/data \
    LOGBENCH_CACHE=/cache
USER logbench
# Logs are read below /data, what was fetched or generated is kept in /cache, records go to /work/runs.
VOLUME ["/data", "/cache", "/work"]
WORKDIR /work
ENTRYPOINT ["logbench"]
CMD ["--help"]
