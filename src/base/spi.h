/*
 * spi.h
 *		Connecting to SPI, or raising.
 */
#ifndef SOFTDELETE_SPI_H
#define SOFTDELETE_SPI_H

#include "postgres.h"

#include "executor/spi.h"

static inline void
sd_spi_connect(void)
{
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
}

static inline void
sd_spi_finish(void)
{
	if (SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "SPI_finish failed");
}

#endif							/* SOFTDELETE_SPI_H */
