#!/bin/bash
# shellcheck disable=SC2086 - the options of a JVM are several words
exec java ${KAFKA_HEAP_OPTS:--Xmx256m} -cp '/opt/kafka/libs/*' org.apache.kafka.tools.BrokerApiVersionsCommand "$@"
