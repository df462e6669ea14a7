<?php

declare(strict_types=1);

namespace Fernhill\OrderNotes\Model\ResourceModel;

use Magento\Framework\Model\ResourceModel\Db\AbstractDb;

class Note extends AbstractDb
{
    /**
     * Delete all notes written before a moment.
     *
     * @return int how many were deleted
     */
    public function deleteBefore(\DateTimeImmutable $moment): int
    {
        $utc = $moment->setTimezone(new \DateTimeZone('UTC'))->format('Y-m-d H:i:s');
        return (int)$this->getConnection()->delete($this->getMainTable(), ['created_at < ?' => $utc]);
    }

    protected function _construct(): void
    {
        $this->_init('fernhill_order_note', 'note_id');
    }
}
