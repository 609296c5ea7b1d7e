# A server of models (docs/serve.md): small, without root, on a file system that may be read-only but for /tmp.
#
#   pip wheel --no-deps --wheel-dir dist .
#   docker build --tag residua .
#   docker run --read-only --tmpfs /tmp --publish 127.0.0.1:8000:8000 --volume ./model.safetensors:/models/model.safetensors:ro residua

ARG PYTHON=3.13

FROM python:${PYTHON}-slim AS build
# Without Numba (EXTRAS=serve) the image is a third smaller, and NumPy answers.
ARG EXTRAS=serve,fast
COPY dist/residua-*.whl /wheels/
RUN python -m venv /opt/residua \
    && wheel=$(ls /wheels/residua-*.whl) \
    && /opt/residua/bin/pip install --no-cache-dir "${wheel}[${EXTRAS}]" \
    && /opt/residua/bin/pip uninstall --yes pip

FROM python:${PYTHON}-slim
COPY --from=build /opt/residua /opt/residua
# All that is ever written: compiled kernels, and what Matplotlib keeps; nobody needs it later.
ENV PATH=/opt/residua/bin:$PATH \
    HOME=/tmp \
    RESIDUA_KERNEL_CACHE=/tmp/kernels \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
WORKDIR /models
USER 10001:10001
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=120s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/v2/health/live', timeout=4)"]
ENTRYPOINT ["residua", "serve", "--host", "0.0.0.0", "--port", "8000"]
CMD ["/models/model.safetensors"]
