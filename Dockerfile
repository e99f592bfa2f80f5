FROM python:3.11-slim
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 IL2_VAR=/var/lib/diary
WORKDIR /app
COPY requirements.txt .
RUN pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.txt
COPY . .
RUN useradd --system --home-dir /var/lib/diary --create-home diary \
 && IL2_SECRET_KEY=only-for-this-step python manage.py collectstatic --noinput --verbosity 0 \
 && chown -R diary /var/lib/diary
USER diary
EXPOSE 8000
CMD ["gunicorn", "il2tracker.wsgi", "--bind", "0.0.0.0:8000", "--preload", "--workers", "2", "--threads", "4", "--no-control-socket"]
