# The app in a container, and as a Docker Space (front matter: sdk: docker, app_port: 7860).
#
#     docker build -t leadmodel .
#     docker run -p 7860:7860 leadmodel
#
# A folder model/ beside this file is baked in; without one the synthetic sample is trained. Or a model
# comes from the Hub when the container starts: docker run -e LEADMODEL_REPO=USER/MODEL …
FROM python:3.11.13-slim-bookworm

ENV PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
# Docker Spaces run as user 1000, and so does everything else: nothing here needs root.
RUN useradd --create-home --uid 1000 leadmodel
USER leadmodel
WORKDIR /home/leadmodel/app
# Cache and log must exist, or volumes in their place would be root's.
RUN python -m venv /home/leadmodel/venv && mkdir -p /home/leadmodel/.cache/huggingface /home/leadmodel/log
ENV PATH=/home/leadmodel/venv/bin:$PATH MPLCONFIGDIR=/tmp/matplotlib

# The requirements change seldom, the code often: the layer of the first outlives the second.
COPY --chown=leadmodel requirements.txt ./
RUN pip install -r requirements.txt
COPY --chown=leadmodel . ./
RUN test -e model || python train.py

ENV GRADIO_SERVER_NAME=0.0.0.0 GRADIO_SERVER_PORT=7860
EXPOSE 7860
HEALTHCHECK --interval=30s --timeout=5s --start-period=120s CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:7860/health', timeout=4)"]
CMD ["python", "app.py"]
