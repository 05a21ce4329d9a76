"""One address for readings."""

import json

from django.http import HttpRequest, JsonResponse
from django.urls import path
from django.utils.dateparse import parse_datetime
from django.views.decorators.csrf import csrf_exempt

from tests.bench.naive.celery import app
from tests.bench.naive.models import Reading, Sensor
from tests.bench.naive.tasks import evaluate

assert app is not None  # the tasks belong to it


@csrf_exempt
def telemetry(request: HttpRequest) -> JsonResponse:
    """Stores each reading as a row and sends a task for it."""
    readings = json.loads(request.body)["readings"]
    for item in readings:
        sensor = Sensor.objects.get(tag=item["sensor"])
        reading = Reading.objects.create(sensor=sensor, time=parse_datetime(item["time"]), value=item["value"])
        evaluate.delay(reading.pk)
    return JsonResponse({"accepted": len(readings)}, status=202)


urlpatterns = [path("telemetry", telemetry)]
