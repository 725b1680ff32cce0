/*
 * statistics.h
 *		Estimates for a marker that has no statistics yet.
 */
#ifndef SOFTDELETE_STATISTICS_H
#define SOFTDELETE_STATISTICS_H

extern void sd_statistics_init(void);

#endif							/* SOFTDELETE_STATISTICS_H */
